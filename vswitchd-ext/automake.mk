# What is linked into ovs-vswitchd: to add a file, add a line.
noinst_LIBRARIES += vswitchd-ext/libvswitchd-ext.a
vswitchd_ext_libvswitchd_ext_a_SOURCES = \
	vswitchd-ext/jobs.c \
	vswitchd-ext/jobs.h \
	vswitchd-ext/observer.c \
	vswitchd-ext/observer.h \
	vswitchd-ext/ovsdb-alerts.c \
	vswitchd-ext/ovsdb-cache.c \
	vswitchd-ext/ovsdb-config.c \
	vswitchd-ext/ovsdb-preset.c \
	vswitchd-ext/ovsdb-private.h \
	vswitchd-ext/ovsdb-probe.c \
	vswitchd-ext/ovsdb-status.c \
	vswitchd-ext/ovsdb-sync.c \
	vswitchd-ext/ovsdb-sync.h \
	vswitchd-ext/uplink.c \
	vswitchd-ext/uplink.h \
	vswitchd-ext/vswitchd-ext.c

# The database MultiLog: generated code to access it, for ovs-vswitchd and for
# tools, and its man page.  The programs that make them are those of Open
# vSwitch.
noinst_LIBRARIES += vswitchd-ext/libmultilog-idl.a
nodist_vswitchd_ext_libmultilog_idl_a_SOURCES = \
	vswitchd-ext/multilog-idl.c \
	vswitchd-ext/multilog-idl.h
vswitchd_ext_libmultilog_idl_a_SOURCES =

$(vswitchd_ext_libvswitchd_ext_a_OBJECTS) \
$(vswitchd_ext_libmultilog_idl_a_OBJECTS): | vswitchd-ext/multilog-idl.h

ovs_python = PYTHONPATH=ovs/stock/python PYTHONDONTWRITEBYTECODE=1 python3
schema = $(srcdir)/vswitchd-ext/multilog.ovsschema
schema_doc = $(srcdir)/vswitchd-ext/multilog.xml

vswitchd-ext/multilog-idl.ovsidl: vswitchd-ext/multilog.ovsschema \
		vswitchd-ext/multilog-idl.ann | ovs/stock.stamp
	@$(MKDIR_P) vswitchd-ext
	$(AM_V_GEN)$(ovs_python) ovs/stock/ovsdb/ovsdb-idlc annotate \
		$(schema) $(srcdir)/vswitchd-ext/multilog-idl.ann > $@.tmp
	@mv $@.tmp $@
vswitchd-ext/multilog-idl.c: vswitchd-ext/multilog-idl.ovsidl
	$(AM_V_GEN)$(ovs_python) ovs/stock/ovsdb/ovsdb-idlc c-idl-source \
		$< > $@.tmp
	@mv $@.tmp $@
vswitchd-ext/multilog-idl.h: vswitchd-ext/multilog-idl.ovsidl
	$(AM_V_GEN)$(ovs_python) ovs/stock/ovsdb/ovsdb-idlc c-idl-header \
		$< > $@.tmp
	@mv $@.tmp $@

vswitchd-ext/multilog-db.5: vswitchd-ext/multilog.ovsschema \
		vswitchd-ext/multilog.xml | ovs/stock.stamp
	@$(MKDIR_P) vswitchd-ext
	$(AM_V_GEN)$(ovs_python) ovs/stock/ovsdb/ovsdb-doc \
		--version=$(VERSION) $(schema) $(schema_doc) > $@.tmp
	@mv $@.tmp $@
nodist_man_MANS += vswitchd-ext/multilog-db.5

# Whoever changes the schema has to change its version and its checksum.
vswitchd-ext/multilog.ovsschema.stamp: vswitchd-ext/multilog.ovsschema \
		| ovs/stock.stamp
	@$(MKDIR_P) vswitchd-ext
	@$(SHELL) ovs/stock/build-aux/cksum-schema-check $(schema) $@
all-local: vswitchd-ext/multilog.ovsschema.stamp

pkgdata_DATA = vswitchd-ext/multilog.ovsschema
EXTRA_DIST += \
	vswitchd-ext/multilog-idl.ann \
	vswitchd-ext/multilog.ovsschema \
	vswitchd-ext/multilog.xml
CLEANFILES += \
	vswitchd-ext/multilog-db.5 \
	vswitchd-ext/multilog-idl.c \
	vswitchd-ext/multilog-idl.h \
	vswitchd-ext/multilog-idl.ovsidl \
	vswitchd-ext/multilog.ovsschema.stamp
