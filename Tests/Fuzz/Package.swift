// swift-tools-version: 6.2
// Fuzzers of BackscatterGuard's parsers. A package of its own, because the sanitizer and the fuzzer go through all that
// is linked: `make fuzz` in the root builds and runs it. The clone may have any name but `fuzz`: SwiftPM takes a package
// for the one below it when their folders are called alike.
import PackageDescription

let package = Package(
    name: "Fuzz",
    dependencies: [.package(name: "BackscatterGuard", path: "../..")],
    targets: [
        .systemLibrary(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: ["CFuzzer", .product(name: "BackscatterGuard", package: "BackscatterGuard")],
            swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error)]
        ),
    ]
)
