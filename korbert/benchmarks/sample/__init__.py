"""A small review set in NSMC's format, written for the demo (Apache-2.0); its scores compare with nothing published."""
