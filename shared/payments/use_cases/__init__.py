"""What can be done with partners' events and payments."""
