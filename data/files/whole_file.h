#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace qaq {

/// The text of a file. Throws Error{input} of `what` and `cure` where it cannot be read.
std::string read_whole(const std::string& path, const std::string& what, const std::string& cure);

/// Writes a file under its name at once, replacing what has it (see PartialFile). Throws
/// Error{work}.
void write_whole(const std::string& path, const std::string& text);
/// The same for what `write` puts out; where it throws, nothing is left of it.
void write_whole(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace qaq
