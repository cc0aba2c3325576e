"""A call that the emulated service answers with an error, as the real one would."""

import grpc


class Declined(Exception):
    """An RPC ends with `status`; the texts follow the recorded ones, but only the status is a promise."""

    def __init__(self, status: grpc.StatusCode, message: str) -> None:
        """Keep the status and the text that the client sees."""
        super().__init__(message)
        self.status = status


def already_exists(message: str) -> Declined:
    """ALREADY_EXISTS: the name is taken, or was until recently."""
    return Declined(grpc.StatusCode.ALREADY_EXISTS, message)


def not_found(message: str) -> Declined:
    """NOT_FOUND: nothing has that name."""
    return Declined(grpc.StatusCode.NOT_FOUND, message)


def invalid(message: str) -> Declined:
    """INVALID_ARGUMENT: the request can never be right."""
    return Declined(grpc.StatusCode.INVALID_ARGUMENT, message)


def wrong_state(message: str) -> Declined:
    """FAILED_PRECONDITION: right in itself, but not for the thing's present state."""
    return Declined(grpc.StatusCode.FAILED_PRECONDITION, message)


def not_emulated(message: str) -> Declined:
    """UNIMPLEMENTED: the real service can, this emulator cannot; never ignored in silence."""
    return Declined(grpc.StatusCode.UNIMPLEMENTED, message)
