# What the patched tree is made of.
ovs_patches = \
	ovs-patches/files/lib/dp-observer-private.h \
	ovs-patches/files/lib/dp-observer.h \
	ovs-patches/files/lib/unixctl-conn.inc \
	ovs-patches/files/lib/unixctl-conn.h \
	ovs-patches/files/vswitchd/vswitchd-ext.h \
	ovs-patches/series \
	ovs-patches/0001-dpif-netdev-Add-an-observer-of-sent-and-dropped-packe.patch \
	ovs-patches/0002-ovs-vswitchd-Call-an-extension.patch \
	ovs-patches/0003-unixctl-Output-formats-who-a-connection-is-from.patch
EXTRA_DIST += \
	$(ovs_patches) \
	ovs-patches/README.rst \
	ovs-patches/supported-versions

# Checks whether the series applies to other trees:
#     make check-patches OVS_TREES="DIR ..."
check-patches:
	@$(SHELL) $(srcdir)/build-aux/check-patches '$(srcdir)' $(OVS_TREES)
