// The version: here and nowhere else. `guardd --version` tells it; package and manual take both from here.

/// Which guardd this is.
public enum GuarddVersion {
    /// Numbers with dots, as Debian's and Semantic Versioning's.
    public static let text = "0.1.0"
    /// The day on which it got this number: year, month, day.
    public static let date = "2026-11-22"
}
