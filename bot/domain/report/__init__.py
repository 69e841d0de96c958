"""The report: the incidents and action items of a period, counted."""
