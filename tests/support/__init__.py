"""Code and worlds that tests share."""
