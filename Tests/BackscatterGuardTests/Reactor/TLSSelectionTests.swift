import Testing
@testable import BackscatterGuard

@Suite("Certificates by name (RFC 6066 §3, RFC 6125 §6.4)") struct TLSSelectionTests {
    private static let selection = TLSSelection([
        TLSIdentity(names: ["mx.a.example", "*.wild.example"], keyType: "RSA"),
        TLSIdentity(names: ["mail.b.example"], keyType: "EC"),
        TLSIdentity(names: ["mx.a.example"], keyType: "EC"),
        TLSIdentity(names: ["one.wild.example"], keyType: "EC"),
        TLSIdentity(names: ["mx.a.example"], keyType: "RSA"),
    ])

    @Test(arguments: [
        ("mx.a.example", [0, 2]), ("MX.A.EXAMPLE.", [0, 2]), ("mail.b.example", [1]), ("one.wild.example", [0, 3]), ("two.wild.example", [0]),
    ])
    func finds(_ name: String, _ expected: [Int]) {
        #expect(Self.selection.index(for: name).map { Self.selection.sets[$0] } == expected)
    }

    @Test(arguments: ["wild.example", "a.b.wild.example", ".wild.example", "", ".", "nobody", "*.a.example"])
    func doesNotFind(_ name: String) {
        #expect(Self.selection.index(for: name) == nil)
    }

    @Test func withoutANameTheFirstAndItsFellows() {
        #expect(Self.selection.sets[0] == [0, 2])
        #expect(TLSSelection([TLSIdentity(names: [], keyType: "RSA"), TLSIdentity(names: ["x"], keyType: "EC")]).sets[0] == [0])
    }
}

@Suite("Ticket keys") struct TLSTicketKeysTests {
    @Test func theOneBeforeOpensStill() {
        let keys = TLSTicketKeys(at: 0)
        let first = keys.current.name
        keys.rotate(at: 3_599)
        #expect(keys.current.name == first)
        keys.rotate(at: 3_600)
        let second = keys.current.name
        #expect(second != first)
        #expect(keys.find(first)?.isOld == true)
        #expect(keys.find(second)?.isOld == false)
        keys.rotate(at: 7_200)
        #expect(keys.find(first) == nil)
        #expect(keys.find(second)?.isOld == true)
    }

    @Test func afterALongPauseNothingOldOpens() {
        let keys = TLSTicketKeys(at: 0)
        let first = keys.current.name
        keys.rotate(at: 7_200)
        #expect(keys.find(first) == nil)
    }
}

@Suite("Certificates that are none") struct TLSCertificateTests {
    @Test func noCertificateNoKey() {
        #expect(throws: TLSCertificateError.noCertificate) { try TLSCertificate(chain: [], key: []) }
        #expect(throws: TLSCertificateError.noCertificate) { try TLSCertificate(chain: Octets("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8), key: []) }
    }
}
