"""Pages that take files."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from tracker.api.forms import MULTIPART
from tracker.files.uploads import read_files

View = Callable[..., HttpResponseBase]


def takes_files(view: View) -> View:
    """Let a page take files of whoever is signed in.

    The token of the form stands in its body. So first is asked who it is, then the body is read, with its
    files; then comes the token. Of nobody's form nothing is read.
    """
    protected = csrf_protect(view)

    @csrf_exempt
    @login_required
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and request.content_type == MULTIPART:
            read_files(request)
        return protected(request, *args, **kwargs)

    return checked
