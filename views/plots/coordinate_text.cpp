#include "views/plots/coordinate_text.h"

#include "views/plots/bit_pane.h"
#include "views/plots/number_format.h"

namespace qaq::views {

QString placeText(const CaptureInfo& info, const Cursor& cursor) {
  return QStringLiteral("%1 · L%2 · KVH%3")
      .arg(sideLetter(cursor.side))
      .arg(info.layers[static_cast<std::size_t>(cursor.layer)])
      .arg(cursor.kvHead);
}

QString coordinateText(const CaptureInfo& info, const Cursor& cursor) {
  return placeText(info, cursor) +
         QStringLiteral(" · tok %1 %2")
             .arg(cursor.token)
             .arg(quoted(info.token_text[static_cast<std::size_t>(cursor.token)]));
}

}  // namespace qaq::views
