#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

class GgufFile;
class ModelFile;

/// Text to token ids and back.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Ids of UTF-8 `text`. With `special`, text of special tokens becomes those tokens; without, it
  /// is plain text. Adds no beginning token.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool special = true) const = 0;
  /// The bytes of the ids, special tokens written out.
  virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
  /// Raw bytes of one token; of a special token its text.
  virtual std::string bytes(std::int32_t id) const = 0;
  /// Display form of one token: valid UTF-8, bytes that are none as <0xE2>.
  virtual std::string piece(std::int32_t id) const = 0;
  virtual std::int64_t vocab_size() const = 0;
  virtual std::vector<std::int32_t> special_ids() const = 0;
  /// The token that the model's files ask to put in front of a prompt, if any.
  virtual std::optional<std::int32_t> beginning_id() const = 0;
  virtual std::string kind() const = 0;    ///< "byte-level-bpe"
  virtual std::string sha256() const = 0;  ///< of the vocabulary and merges, for provenance
};

/// Whether `ids`, encoded from a text, begin with the very token that beginning_id() asks to put in
/// front: adding it would double it.
bool begins_with_beginning(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids);

/// The tokenizer in a GGUF file's metadata. Throws Error{input} naming the key.
std::shared_ptr<const Tokenizer> make_tokenizer(const GgufFile& gguf);
/// The tokenizer of an opened model: its GGUF metadata or the files in its folder.
std::shared_ptr<const Tokenizer> make_tokenizer(const ModelFile& model);
/// The tokenizer alone, without the weights, of what open_model takes: a GGUF file, a Hugging Face
/// folder, or a file in one. Throws Error{input}.
std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path);

}  // namespace qaq
