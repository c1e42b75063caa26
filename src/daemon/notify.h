/* Tells systemd how the service is (sd_notify(3)), when systemd asks for it by $NOTIFY_SOCKET. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "STOPPING=1". Silent where nobody asks. */
void notify_state(const char *state);
/* "RELOADING=1" with the time that Type=notify-reload wants. */
void notify_reloading(void);

#endif
