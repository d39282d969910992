"""The product's settings, with one address more: the empty view that other views are measured against."""

from tracker.settings import *  # noqa: F403  all of them

ROOT_URLCONF = "bench.urls"
