"""The names of the steps at which a process can die; ``steps`` says where each is."""

FORWARD = (
    "after_plan",
    "after_claim",
    "after_snapshot",
    "after_sent",
    "after_send",
    "after_response",
    "before_outcome_commit",
    "after_outcome",
    "before_closing",
    "before_closing_commit",
)
BACKWARD = ("after_reversal_plan", "mid_reversal", "mid_reversal_sent", "after_reversal_response")
STEPS = (*FORWARD, *BACKWARD, "in_read_back", "before_201")
