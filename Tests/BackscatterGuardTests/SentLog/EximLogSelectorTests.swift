import Testing
@testable import BackscatterGuard

@Suite("Exim specification, log_selector: what EximLogReader needs") struct EximLogSelectorTests {
    @Test(arguments: [
        ("", [EximLogSelector.Item.messageID, .confirmation]), ("+received_recipients", [.messageID, .recipients, .confirmation]), ("-all", []),
        ("-all +msg_id", [.messageID]), ("+all", [.messageID, .returnPath, .recipients, .confirmation]),
        ("+all -msg_id -smtp_confirmation", [.returnPath, .recipients]), ("-msg_id +all", [.messageID, .returnPath, .recipients, .confirmation]),
        // Names that begin alike; no blank between two; one that stands twice.
        ("-all +msg_id_created", []), ("+return_path_on_delivery_x", [.messageID, .confirmation]), ("+pid+received_recipients", [.messageID, .recipients, .confirmation]),
        ("+received_recipients -received_recipients", [.messageID, .confirmation]), ("received_recipients", [.messageID, .confirmation]),
    ])
    func has(_ text: String, _ items: [EximLogSelector.Item]) {
        #expect(EximLogSelector.Item.allCases.filter { EximLogSelector(text).has($0) } == items)
    }

    @Test func adds() {
        let selector = EximLogSelector("  +pid   -all ")
        #expect(selector.lacking(EximLogSelector.wanted) == [.recipients, .returnPath])
        #expect(selector.adding([.recipients]).text == "+pid -all +received_recipients")
        #expect(selector.text == "+pid -all" && EximLogSelector("").adding([]).text == "")
        #expect(!selector.forbids(.recipients) && EximLogSelector("-received_recipients").forbids(.recipients))
        #expect(!EximLogSelector("-received_recipients +received_recipients").forbids(.recipients))
    }
}
