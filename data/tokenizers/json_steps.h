#pragma once

#include <optional>
#include <string>

#include "data/tokenizers/json_value.h"
#include "data/tokenizers/normalizer.h"
#include "data/tokenizers/pre_tokenizer.h"

namespace qaq {

/// The parts of a tokenizer.json, each read by itself. All throw Error{input} with the place where
/// a step is not known; an absent part does nothing.

Normalizer read_normalizer(const std::optional<JsonValue>& part);

struct JsonPreTokenizer {
  PreTokenizer split;
  bool byte_level = false;  ///< words are then merged byte by byte
};
JsonPreTokenizer read_pre_tokenizer(const std::optional<JsonValue>& part);

/// How a token's text in the vocabulary becomes bytes.
struct JsonDecoder {
  struct Replacement {
    std::string from;
    std::string to;
  };
  bool byte_level = false;
  bool byte_fallback = false;             ///< <0x41> stands for a byte
  std::vector<Replacement> replacements;  ///< within a token, in order
  bool drops_leading_space = false;

  std::string bytes(const std::string& token) const;
};
/// `byte_level`: what an absent decoder means.
JsonDecoder read_decoder(const std::optional<JsonValue>& part, bool byte_level);

/// The one token that the post-processor puts in front of a text, if any.
std::optional<std::int32_t> read_beginning(const std::optional<JsonValue>& part);

/// Throws Error{input} that names the step and those that are known in its place.
[[noreturn]] void refuse_step(const JsonValue& step, const std::string& kind,
                              const std::string& known);

/// Calls take(step) for each step of a part; a Sequence is flattened, its steps under `list`.
template <class Take>
void for_each_step(const JsonValue& part, const std::string& list, Take take, int depth = 0) {
  if (part.at("type").text() != "Sequence") return take(part);
  if (depth == 8) part.refuse("Sequences are nested more than 8 deep");
  for (const JsonValue& step : part.at(list).elements()) {
    for_each_step(step, list, take, depth + 1);
  }
}

}  // namespace qaq
