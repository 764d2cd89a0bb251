"""The app that makes a deployed process one of a chaos run; it changes nothing on disk."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class ChaosConfig(AppConfig):
    """Installs the run's pace, steps and ablation once all other apps are there."""

    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        """Install them; not imported above, because the models are not there yet by then."""
        import_string("tests.chaos.child.install")()
