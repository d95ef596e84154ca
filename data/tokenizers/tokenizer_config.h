#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace qaq {

/// What a folder's tokenizer_config.json says beside the tokenizer itself. All of it may be absent,
/// as may the file.
struct TokenizerConfig {
  struct Added {
    std::string text;
    bool special = true;
  };

  std::string beginning;  ///< text of bos_token
  std::string end;        ///< text of eos_token
  std::optional<bool> add_beginning;
  /// Tokens beside the vocabulary (added_tokens_decoder, or added_tokens.json), by id.
  std::map<std::int32_t, Added> added;
  std::string chat_template;  ///< of the name "default" where there are several
};

/// Throws Error{input} where the file is damaged. A chat_template.jinja beside it goes before its
/// own chat_template.
TokenizerConfig read_tokenizer_config(const std::string& folder);

}  // namespace qaq
