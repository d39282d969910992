"""The pages of accounts."""

from django.urls import path
from django.views.generic import RedirectView

from accounts.views.settings import PasswordView, ProfileView, avatar
from accounts.views.setup import SetupView
from accounts.views.sign_in import RegisterView, SignInView, sign_out

urlpatterns = [
    path("accounts/login/", SignInView.as_view(), name="login"),
    path("accounts/logout/", sign_out, name="logout"),
    path("accounts/register/", RegisterView.as_view(), name="register"),
    path("settings/", RedirectView.as_view(pattern_name="profile")),
    path("settings/profile/", ProfileView.as_view(), name="profile"),
    path("settings/avatar/", avatar, name="avatar"),
    path("settings/password/", PasswordView.as_view(), name="password"),
    path("setup/<str:token>/", SetupView.as_view(), name="setup"),
]
