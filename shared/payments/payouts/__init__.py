"""What payouts are made of: each brings many payments to the bank, less fees, refunds, disputes and reserves."""
