"""Pure decisions of invoicing: states, issuing, settling, ageing, and the accounts they post to."""
