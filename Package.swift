// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "BackscatterGuard",
    products: [
        .library(name: "BackscatterGuard", targets: ["BackscatterGuard"]),
        .executable(name: "guardd", targets: ["guardd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        .systemLibrary(name: "CEvent", pkgConfig: "libevent", providers: [.apt(["libevent-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "BackscatterGuard",
            dependencies: ["CEvent", "CHiredis", "CLMDB", "COpenSSL", "CZlib", "TOMLKit"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "guardd",
            dependencies: [
                "BackscatterGuard",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BackscatterGuardTests",
            dependencies: ["BackscatterGuard"],
            swiftSettings: strict
        ),
    ]
)
