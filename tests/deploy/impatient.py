"""Our worker with little patience for a client that takes nothing of its answer."""

from orderservice.serving import PatientWorker


class ImpatientWorker(PatientWorker):
    """Lets such a client go after a second."""

    stall = 1.0
