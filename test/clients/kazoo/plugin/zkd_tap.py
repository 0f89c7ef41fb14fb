"""pytest plugin: prints TAP instead of its own report, and skips the tests that a file names.

The driver (kazoo_test.go) turns the lines into subtests. Standard output belongs to TAP; what tests print is captured.
"""

import os

import pytest

_tap = os.fdopen(os.dup(1), "w", buffering=1)  # before pytest captures descriptor 1


def pytest_addoption(parser):
    parser.addoption("--skips", help="file of lines 'test id: reason'; a test id ends like the node id does")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    # The terminal report would mix with TAP; its plugin stays, as others need it, but speaks to nobody.
    reporter = config.pluginmanager.getplugin("terminalreporter")
    reporter._tw._file = open(os.devnull, "w")


def _read_skips(file):
    skips = {}
    if file:
        with open(file) as lines:
            for line in lines:
                line = line.strip()
                if line and not line.startswith("#"):
                    name, reason = line.split(": ", 1)
                    skips[name] = reason
    return skips


def pytest_collection_modifyitems(config, items):
    skips = _read_skips(config.getoption("--skips"))
    for item in items:
        name = _name(item)
        if name in skips:
            item.add_marker(pytest.mark.skip(reason=skips.pop(name)))
    collected = {_name(item).split("::")[0] for item in items}
    for name in skips:
        if name.split("::")[0] in collected:
            _tap.write("not ok - skips.txt names %s, which is no test\n" % name)


def _name(test):
    """test_lock::KazooLockTests::test_lock, for a test or a report of one."""
    file, _, _ = test.location
    return os.path.basename(file)[:-3] + "::" + test.nodeid.partition("::")[2]


def pytest_collectreport(report):
    if report.failed:
        _not_ok(report.nodeid, report)


def pytest_runtest_logreport(report):
    name = _name(report)
    if report.failed:  # in set-up, call or tear-down
        _not_ok(name if report.when == "call" else "%s (%s)" % (name, report.when), report)
    elif report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _tap.write("ok - %s # SKIP %s\n" % (name, reason.removeprefix("Skipped: ")))
    elif report.when == "call":
        _tap.write("ok - %s\n" % name)


def _not_ok(name, report):
    _tap.write("not ok - %s\n" % name)
    text = report.longreprtext + "\n" + "\n".join(s for _, s in report.sections)
    for line in text[-6000:].splitlines():
        _tap.write("# %s\n" % line)
