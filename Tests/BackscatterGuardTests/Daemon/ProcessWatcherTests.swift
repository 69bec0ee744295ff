import Testing
@testable import BackscatterGuard

@Suite("Who follows this process") struct ProcessWatcherTests {
    @Test(arguments: [
        (1, nil, .container), (1, "runsv\n", .container), (77, "runsv\n", .supervisor("runsv")), (77, "s6-supervise\n", .supervisor("s6-supervise")),
        (77, "supervise-daemo\n", .supervisor("supervise-daemo")), (77, "systemd\n", nil), (77, "guardd\n", nil), (77, "bash\n", nil), (77, "", nil), (77, nil, nil),
    ] as [(Int32, String?, ProcessWatcher?)])
    func isKnown(_ process: Int32, _ parent: String?, _ watcher: ProcessWatcher?) {
        #expect(ProcessWatcher.of(process: process, parent: parent) == watcher)
    }
}
