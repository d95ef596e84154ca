#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/evaluate/policy_decoder.h"

namespace qaq::cli {

/// By what `qaq run` quantizes the cache that it decodes on.
struct DecodePolicyFlags {
  std::string policy = "none";
  std::string preset;
  std::vector<std::string> assignments;
};

/// Adds --policy, --preset and --set. `flags` outlives the command.
void add_decode_policy_flags(CLI::App& command, DecodePolicyFlags& flags);
/// The parameters of --set with their defaults, for the command's footer.
std::string decode_parameter_help();

/// What the flags mean; nothing with --policy none. Throws Error{usage} where they make no sense
/// and, of a preset's file, {input}.
std::optional<DecodePolicy> decode_policy_of(const DecodePolicyFlags& flags, DType dtype);

/// What became of the cache, in lines for people on standard error.
void print_cache(const DecodePolicy& policy, const DecodeFigures& figures);
/// The same for a JSON document, with the policy's parameters.
nlohmann::ordered_json cache_json(const DecodePolicy& policy, const DecodeFigures& figures);

}  // namespace qaq::cli
