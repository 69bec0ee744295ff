// One program that talks to the control socket.

/// Reads its lines, has them recorded, writes the answers.
final class ControlConnection: Socket {
    private static let backlogLimit = 65_536

    let number: UInt64
    private weak var control: ControlSocket?
    private var dialogue = ControlDialogue()
    /// Milliseconds of the monotonic clock: when its last line began, or its last answer went out.
    private(set) var since: Int64
    private var hasEnded = false
    /// Its last word is being written.
    private(set) var isLeaving = false

    var isWithinLine: Bool { dialogue.heldOctets > 0 }
    var isIdle: Bool { dialogue.isIdle }
    var heldOctets: Int { dialogue.heldOctets }

    init(_ number: UInt64, descriptor: CInt, control: ControlSocket) throws(ReactorError) {
        self.number = number
        self.control = control
        since = EventLoop.milliseconds()
        try super.init(descriptor: descriptor, loop: control.loop)
    }

    override func received(_ octets: Span<UInt8>) {
        guard let control, !isLeaving else { return }
        let held = dialogue.heldOctets
        if held == 0 { since = EventLoop.milliseconds() }
        dialogue.read(octets) { control.perform($1, $0, for: number) }
        control.heldChanged(by: dialogue.heldOctets - held)
        say()
    }

    func answered(_ request: Int, error: String?) {
        dialogue.answered(request, error: error)
        say()
    }

    private func say() {
        let answers = dialogue.takeAnswers()
        if !answers.isEmpty {
            since = EventLoop.milliseconds()
            send(answers.span)
        }
        settle()
    }

    private func settle() {
        guard isOpen, !isLeaving else { return }
        if hasEnded, dialogue.isIdle || isWithinLine { return leave() }
        guard !hasEnded else { return }
        if dialogue.isFull || backlog > ControlConnection.backlogLimit { pauseReading() } else { resumeReading() }
    }

    /// Closes it with a last word.
    func refuse(_ reason: String) {
        guard isOpen, !isLeaving else { return }
        send(ControlDialogue.error(reason).span)
        leave()
    }

    private func leave() {
        isLeaving = true
        since = EventLoop.milliseconds()
        closeWhenFlushed()
    }

    override func ended() {
        hasEnded = true
        settle()
    }

    override func drained() { settle() }
    override func lingeringEnded() { control?.forget(self) }

    override func failed(_ number: CInt) {
        close()
        control?.forget(self)
    }
}
