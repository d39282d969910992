"""Reading what Jira's REST search returns, and saying it in the product's words."""
