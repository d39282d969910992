"""`auth/…`: registering, signing in and out, tokens, tickets, the password."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.api.bodies import Nothing, PasswordChange, RefreshBody, Registration, SignIn
from accounts.api.shapes import SignedIn, Ticket, signed_in
from accounts.identity import Identity
from accounts.services import passwords, registration, sessions, tickets
from tracker.api.errors import request_id_of
from tracker.api.operations import operation
from tracker.api.views import ApiView
from tracker.errors import NotAllowed
from tracker.web.address import client_network


class _SecretsView(ApiView):
    """A reply that holds tokens is kept nowhere on its way, and by us neither."""

    keeps_replies = False

    def answer(self, data: Any, *, status: int = 200) -> HttpResponse:
        """Return `data` for this client alone."""
        self.reply_headers["Cache-Control"] = "no-store"
        return self.ok(data, status=status)


class RegisterView(_SecretsView):
    """`auth/register`."""

    anonymous = True

    @operation(request=Registration, response=SignedIn, status=201, statuses=(403,), summary="Register")
    def post(self, request: Request) -> HttpResponse:
        """Make an account for who asks, always a reporter's, and sign in."""
        registration.require_open()
        body = self.body(Registration)
        user = registration.register(
            email=body["email"],
            name=body.get("name", ""),
            password=body["password"],
            address=client_network(self.http_request),
            request_id=request_id_of(self.http_request),
        )
        return self.answer(signed_in(sessions.start_family(user)), status=201)


class LoginView(_SecretsView):
    """`auth/login`."""

    anonymous = True

    @operation(request=SignIn, response=SignedIn, statuses=(401,), summary="Sign in")
    def post(self, request: Request) -> HttpResponse:
        """Give a pair of tokens for an address and its password."""
        body = self.body(SignIn)
        user = sessions.sign_in(body["email"], body["password"], address=client_network(self.http_request))
        return self.answer(signed_in(sessions.start_family(user)))


class RefreshView(_SecretsView):
    """`auth/refresh`."""

    anonymous = True

    @operation(request=RefreshBody, response=SignedIn, statuses=(401,), summary="Rotate the tokens")
    def post(self, request: Request) -> HttpResponse:
        """Use a refresh token up for the next pair; a second use ends the sign-in."""
        return self.answer(signed_in(sessions.rotate(self.body(RefreshBody)["refresh"])))


class LogoutView(ApiView):
    """`auth/logout`."""

    anonymous = True

    @operation(request=RefreshBody, statuses=(401,), summary="Sign out")
    def post(self, request: Request) -> HttpResponse:
        """End the sign-in of a refresh token; its access tokens end at once."""
        sessions.sign_out(self.body(RefreshBody)["refresh"])
        return self.none()


class PasswordView(ApiView):
    """`auth/password`."""

    keeps_replies = False

    @operation(request=PasswordChange, summary="Change the password")
    def post(self, request: Request) -> HttpResponse:
        """Change one's password; every sign-in is over, this one too."""
        body = self.body(PasswordChange)
        address = client_network(self.http_request)
        passwords.change_own_password(by=self.caller, old=body["old"], new=body["new"], address=address)
        return self.none()


class TicketView(_SecretsView):
    """`auth/ticket`."""

    @operation(request=Nothing, response=Ticket, summary="Get a ticket for one WebSocket")
    def post(self, request: Request) -> HttpResponse:
        """Give a ticket that opens one WebSocket within 30 seconds."""
        self.body(Nothing, required=False)
        identity: Any = request.auth
        if not isinstance(identity, Identity):
            raise NotAllowed("A ticket needs a sign-in.")
        ticket = tickets.issue_ticket(
            self.user, family_id=identity.family_id, session_key=identity.session_key
        )
        return self.answer({"ticket": ticket, "expires_in": tickets.LIFETIME_SECONDS})
