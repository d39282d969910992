"""What tests of pages share."""

from django.test import Client

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](javascript:alert(1))",
    '![x](https://example.org/"onerror="alert(1))',
    '[x](https://example.org "title\\" onmouseover=\\"alert(1)")',
    "<javascript:alert(1)>",
    "<a href='x' onclick=alert(1)>x</a>",
    "<style>*{display:none}</style>",
    "<base href=https://evil.example>",
    "<form action=https://evil.example><input name=q></form>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```x" onmouseover=alert(1) y="\ncode\n```',
    "[a]: javascript:alert(1)\n\n[a]",
    "<!--><script>alert(1)</script>-->",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "~~<b onclick=alert(1)>x</b>~~",
    "# <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<object data=javascript:alert(1)></object>",
    "[x](//evil.example)<x onclick=alert(1)>",
    "<a\x01href=javascript:alert(1)>x</a>",
    "<div style=background:url(javascript:alert(1))>x</div>",
    "![[" * 20,
    "[[x](y)](z)",
    "<noscript><p title=</noscript><img src=x onerror=alert(1)>>",
    "*<u/onmouseover=alert(1)>x</u>*",
]


def page(client: Client, path: str, status: int = 200) -> str:
    """Return the text of a page that answers with this status."""
    reply = client.get(path)
    assert reply.status_code == status, reply.content.decode()[:2000]
    return reply.content.decode()
