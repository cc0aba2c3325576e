"""Invoicing: drafts become numbered invoices, payments and refunds move what is open on them."""
