"""The house: kernel, ports, domains, adapters and the door frame of Daybook."""
