"""Plan, confirm, apply, receipt: the only room that changes anything in Azure or in a VM."""
