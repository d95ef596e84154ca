#pragma once

namespace qaq {

/// "0.1.0".
const char* program_version();
/// The commit that the program was built from, as far as configuring knew it; else "unknown".
const char* program_commit();

}  // namespace qaq
