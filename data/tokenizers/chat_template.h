#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qaq {

class ModelFile;

struct ChatMessage {
  std::string role;  ///< "system", "user" or "assistant"
  std::string content;
};

/// How a chat is written out for a model.
enum class ChatFormat {
  chatml,  ///< <|im_start|>role ... <|im_end|>: SmolLM, Qwen
  llama2,  ///< [INST] <<SYS>> ... [/INST]
  llama3,  ///< <|start_header_id|>role<|end_header_id|> ... <|eot_id|>
};

/// A model's chat template, as far as it is known. Templates are programs (Jinja); they are not run
/// but recognised by their marks.
struct ChatTemplate {
  ChatFormat format = ChatFormat::chatml;
  std::string beginning{};       ///< text of the beginning token where the template writes it
  std::string end{};             ///< text of the end token where the template writes it (LLaMA-2)
  std::string default_system{};  ///< ChatML: the system message of a chat that begins without one
  std::string preamble{};        ///< LLaMA-3.1: what stands before every system message
};

/// `text` is a template's source; `beginning` and `end` are the texts of the model's tokens. Throws
/// Error{input} where the template is of no known format.
ChatTemplate recognise_chat_template(std::string_view text, std::string_view beginning,
                                     std::string_view end);

/// The template of a model: tokenizer.chat_template in GGUF; chat_template.jinja or chat_template
/// in tokenizer_config.json of a folder. Throws Error{input} where there is none or an unknown one.
ChatTemplate chat_template_of(const ModelFile& model);

/// The chat as text, to be encoded with special tokens; it begins with the beginning token where
/// the template says so, so none must be added (begins_with_beginning tells). With
/// `add_generation_prompt` the assistant's turn is opened. Throws Error{input} where roles are
/// unknown or, for LLaMA-2, do not alternate.
std::string render_chat(const ChatTemplate& chat, const std::vector<ChatMessage>& messages,
                        bool add_generation_prompt = true);

}  // namespace qaq
