"""Plan, confirm, apply, receipt: the only package that changes anything in Azure or in a VM."""
