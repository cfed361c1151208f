"""Cases: what is done for a pupil, by whom, and the deadlines beside them."""
