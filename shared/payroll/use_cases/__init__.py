"""What can be asked of payroll."""
