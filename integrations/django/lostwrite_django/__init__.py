"""Comments on SQL statements that tell where in the project they come from, and a recorder of test sessions.

    INSTALLED_APPS = [..., "lostwrite_django"]      comments
    pytest --lostwrite                              records, and has lostwrite report
"""

__version__ = "0.1.0"
