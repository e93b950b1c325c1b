# All files here are distributed.  A script that is to be installed is added
# to dist_bin_SCRIPTS, its man page to dist_man_MANS.
dist_bin_SCRIPTS += utilities/multilog-ovsdb

tools = utilities/multilog-dump utilities/ovs-multilog
bin_PROGRAMS += $(tools)
utilities_multilog_dump_SOURCES = utilities/multilog-dump.c
utilities_multilog_dump_LDADD = lib/libmultilog.a
utilities_ovs_multilog_SOURCES = utilities/ovs-multilog.c
utilities_ovs_multilog_LDADD = lib/libmultilog.a

bashcompletiondir = $(datadir)/bash-completion/completions
dist_noinst_DATA = utilities/ovs-multilog-completion.bash
install-data-local: install-completion
install-completion:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/utilities/ovs-multilog-completion.bash \
		'$(DESTDIR)$(bashcompletiondir)/ovs-multilog'
uninstall-local: uninstall-completion
uninstall-completion:
	rm -f '$(DESTDIR)$(bashcompletiondir)/ovs-multilog'
.PHONY: install-completion uninstall-completion

bin_PROGRAMS += utilities/ovs-multilogctl
utilities_ovs_multilogctl_SOURCES = \
	utilities/multilogctl-commands.c \
	utilities/multilogctl-private.h \
	utilities/multilogctl-settings.c \
	utilities/multilogctl.h \
	utilities/ovs-multilogctl.c
utilities_ovs_multilogctl_LDADD = \
	vswitchd-ext/libmultilog-idl.a \
	lib/libmultilog.a
$(utilities_ovs_multilogctl_OBJECTS): \
	| ovs/patched.stamp vswitchd-ext/multilog-idl.h

tools += utilities/ovs-multilogd
utilities_ovs_multilogd_SOURCES = utilities/ovs-multilogd.c
utilities_ovs_multilogd_LDADD = lib/libmultilog.a
