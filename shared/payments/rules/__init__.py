"""What partners' events do to payments, invoices and the books, decided from values alone."""
