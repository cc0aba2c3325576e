"""Which happenings a state allows."""

from dataclasses import replace

from shared.invoicing.model import TRANSITIONS, DraftInvoice, Happening, InvoiceState
from shared.invoicing.refusals import WrongState


def require(state: InvoiceState, happening: Happening) -> frozenset[InvoiceState]:
    """The states that may follow.

    Raises:
        WrongState: the state does not allow the happening.
    """
    following = TRANSITIONS[state].get(happening)
    if following is None:
        message = f"an invoice that is {state.value} does not take: {happening.value}"
        raise WrongState(message, field="state", detail={"state": state.value, "action": happening.value})
    return following


def discard(draft: DraftInvoice) -> DraftInvoice:
    """Give a draft up; it keeps its id and never gets a number.

    Raises:
        WrongState: it was given up before.
    """
    require(draft.state, Happening.DISCARD)
    return replace(draft, state=InvoiceState.VOID, version=draft.version + 1)
