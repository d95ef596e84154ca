#include "views/commands/help_panel.h"

#include <QLabel>
#include <QVBoxLayout>

namespace qaq::views {
namespace {

constexpr Px<int> kWidth{520};

}  // namespace

HelpPanel::HelpPanel(QWidget* window) : OverlayPanel(tr("Help"), window), m_text(new QLabel) {
  m_text->setWordWrap(true);
  m_text->setFont(Theme::font(Theme::kTitlePx));
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_text->setFocusPolicy(Qt::StrongFocus);  // so that it is read out
  m_text->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  body()->addWidget(m_text, 1);
}

QSize HelpPanel::wantedSize() const { return {kWidth, heightForWidth(kWidth)}; }
QWidget* HelpPanel::firstFocus() { return m_text; }
QString HelpPanel::text() const { return m_text->text(); }

void HelpPanel::tell(const QString& title, const QStringList& paragraphs) {
  setTitle(title);
  m_text->setText(paragraphs.join(QStringLiteral("\n\n")));
  m_text->setAccessibleName(title);
  open();
}

}  // namespace qaq::views
