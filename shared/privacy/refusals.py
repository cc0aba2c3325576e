"""Why personal data stays closed."""

from shared.faults import Conflict, Invalid


class PersonalDataUnreadable(Conflict):
    """A key on the way to the data is gone or disabled, or the data was moved from the place it was sealed for."""

    code = "personal_data_unreadable"


class NotText(Invalid):
    """The value is no Unicode text; what it is stays unsaid."""

    code = "not_text"
