#include "core/base/text.h"
#include "data/tokenizers/byte_alphabet.h"
#include "data/tokenizers/byte_token.h"
#include "data/tokenizers/json_steps.h"

namespace qaq {
namespace {

std::string replaced(const std::string& text, const JsonDecoder::Replacement& replacement) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find(replacement.from); at != std::string::npos;
       at = text.find(replacement.from, done)) {
    out.append(text, done, at - done).append(replacement.to);
    done = at + replacement.from.size();
  }
  return out.append(text, done);
}

class Reader {
 public:
  void take(const JsonValue& step) {
    const std::string type = step.at("type").text();
    if (type == "ByteLevel") {
      decoder_.byte_level = true;
    } else if (type == "ByteFallback") {
      decoder_.byte_fallback = true;
    } else if (type == "Fuse") {
      fused_ = true;
    } else if (type == "Replace") {
      const std::string from = step.at("pattern").at("String").text();
      if (from.empty()) step.refuse("replaces an empty text");
      if (fused_) step.refuse("a Replace after Fuse is not supported");
      decoder_.replacements.push_back({from, step.at("content").text()});
    } else if (type == "Metaspace") {
      decoder_.replacements.push_back({step.text_or("replacement", "\u2581"), " "});
      decoder_.drops_leading_space = step.text_or("prepend_scheme", "always") != "never" &&
                                     step.flag_or("add_prefix_space", true);
    } else if (type == "Strip") {
      take_strip(step);
    } else {
      refuse_step(step, "decoder", "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Strip");
    }
  }

  JsonDecoder finish() { return std::move(decoder_); }

 private:
  // SentencePiece's space in front of a text, which is gone again once the text is whole.
  void take_strip(const JsonValue& step) {
    const bool leading_space = step.at("content").text() == " " &&
                               step.at("start").integer() == 1 && step.at("stop").integer() == 0;
    if (!leading_space) step.refuse("a Strip of anything but one leading space is not supported");
    if (!fused_) step.refuse("a Strip before Fuse is not supported");
    decoder_.drops_leading_space = true;
  }

  JsonDecoder decoder_;
  bool fused_ = false;
};

}  // namespace

std::string JsonDecoder::bytes(const std::string& token) const {
  std::string text = token;
  for (const Replacement& replacement : replacements) text = replaced(text, replacement);
  if (byte_fallback) {
    if (const auto byte = byte_of_token(text)) return std::string(1, static_cast<char>(*byte));
  }
  return byte_level ? bytes_of_letters(text) : text;
}

JsonDecoder read_decoder(const std::optional<JsonValue>& part, bool byte_level) {
  if (!part) {
    JsonDecoder decoder;
    decoder.byte_level = byte_level;
    return decoder;
  }
  Reader reader;
  for_each_step(*part, "decoders", [&](const JsonValue& step) { reader.take(step); });
  return reader.finish();
}

}  // namespace qaq
