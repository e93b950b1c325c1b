# What is linked into ovs-vswitchd: to add a file, add a line.
noinst_LIBRARIES += vswitchd-ext/libvswitchd-ext.a
vswitchd_ext_libvswitchd_ext_a_SOURCES = \
	vswitchd-ext/jobs.c \
	vswitchd-ext/jobs.h \
	vswitchd-ext/observer.c \
	vswitchd-ext/observer.h \
	vswitchd-ext/vswitchd-ext.c
