"""The paths of accounts below `/api/v1/`."""

from django.urls import path

from accounts.api import sign_in, users

urlpatterns = [
    path("auth/register/", sign_in.RegisterView.as_view()),
    path("auth/login/", sign_in.LoginView.as_view()),
    path("auth/refresh/", sign_in.RefreshView.as_view()),
    path("auth/logout/", sign_in.LogoutView.as_view()),
    path("auth/password/", sign_in.PasswordView.as_view()),
    path("auth/ticket/", sign_in.TicketView.as_view()),
    path("auth/me/", users.MeView.as_view()),
    path("users/", users.UsersView.as_view()),
    path("users/me/", users.MeView.as_view()),
    path("users/<uuid:user_id>/", users.UserView.as_view()),
    path("users/<uuid:user_id>/avatar/<str:content_hash>/", users.AvatarView.as_view()),
]
