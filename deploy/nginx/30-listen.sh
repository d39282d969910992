#!/bin/sh
# Writes how nginx listens: in the clear, or by TLS where a certificate is mounted. The image runs it at start.
set -eu
certificates="${CERTIFICATES:-/etc/nginx/certificates}"
mkdir -p "$NGINX_DIR"
public_port="${PUBLIC_HTTPS_PORT:-443}"
public_port="${public_port##*:}"  # without the address that compose may bind it to
if [ "$public_port" = 443 ]; then authority='$host'; else authority="\$host:$public_port"; fi
if [ -r "$certificates/fullchain.pem" ] && [ -r "$certificates/privkey.pem" ]; then
    cat > "$NGINX_DIR/listen.conf" <<LISTEN
listen ${HTTP_PORT:-80};
listen ${HTTPS_PORT:-443} ssl http2;
ssl_certificate $certificates/fullchain.pem;
ssl_certificate_key $certificates/privkey.pem;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_cache shared:tracker:10m;
ssl_session_timeout 1d;
ssl_session_tickets off;
if (\$scheme = http) { return 308 https://$authority\$request_uri; }
LISTEN
else
    echo "listen ${HTTP_PORT:-80};" > "$NGINX_DIR/listen.conf"
fi
