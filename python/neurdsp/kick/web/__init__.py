"""A web service that generates kicks: a Django app, and the project that ``neurdsp kick serve`` runs.

To put the app into another project, add ``"neurdsp.kick.web"`` to its ``INSTALLED_APPS`` and include
``neurdsp.kick.web.urls``. It needs the extra ``web``.
"""

__all__: list[str] = []
