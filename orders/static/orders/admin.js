// What the admin's theme must be told before it starts.

// htmx would write its styles into the page, which our content security policy forbids;
// admin.css has them.
htmx.config.includeIndicatorStyles = false;
