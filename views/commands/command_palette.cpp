#include "views/commands/command_palette.h"

#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QVBoxLayout>
#include <algorithm>

#include "views/commands/palette_delegate.h"

namespace qaq::views {
namespace {

constexpr Px<int> kWidth{640}, kAround{96};  // px; with the title and the line that is typed in
constexpr int kLeastLines = 3, kMostLines = 10;
constexpr int kPage = 8;  // lines that Page Up and Page Down move

}  // namespace

CommandPalette::CommandPalette(CommandRegistry* registry, PaletteSearch search, QWidget* window)
    : OverlayPanel(tr("Commands, tokens, settings"), window),
      m_registry(registry),
      m_search(std::move(search)),
      m_edit(new QLineEdit),
      m_list(new QListView),
      m_nothing(new QLabel(tr("Nothing fits. Try a word of a menu, a parameter, or tok: and a "
                              "part of the text."))),
      m_model(new PaletteModel(this)),
      m_delegate(new PaletteDelegate(this)) {
  m_edit->setPlaceholderText(tr("A command, “window = 8”, “tok:56”, “layer 14” …"));
  m_edit->setAccessibleName(tr("Command"));
  m_edit->setAccessibleDescription(tr("Arrow keys choose, Enter runs, Tab writes out"));
  m_edit->setMinimumHeight(27);
  m_edit->installEventFilter(this);
  m_list->setModel(m_model);
  m_list->setItemDelegate(m_delegate);
  m_list->setUniformItemSizes(true);
  m_list->setFocusPolicy(Qt::NoFocus);  // the keys of the line choose in it
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_list->setAccessibleName(tr("Matching commands"));
  m_nothing->setWordWrap(true);
  m_nothing->hide();
  body()->addWidget(m_edit);
  body()->addWidget(m_nothing);
  body()->addWidget(m_list, 1);
  connect(m_edit, &QLineEdit::textChanged, this, &CommandPalette::search);
  connect(m_list, &QListView::clicked, this, [this] { run(); });
}

QSize CommandPalette::wantedSize() const {
  const auto lines = std::clamp(m_model->rowCount(), kLeastLines, kMostLines);
  return {kWidth, kAround + lines * PaletteDelegate::kHeight};
}

QWidget* CommandPalette::firstFocus() { return m_edit; }
QString CommandPalette::query() const { return m_edit->text(); }
int CommandPalette::currentRow() const { return m_list->currentIndex().row(); }

void CommandPalette::ask(const QString& query) {
  setQuery(query);
  open();
}

void CommandPalette::setQuery(const QString& query) {
  m_edit->setText(query);
  search(query);  // also where the text is the same: what can run may have changed
}

void CommandPalette::search(const QString& query) {
  m_model->setEntries(m_search.find(query));
  const bool any = !entries().isEmpty();
  m_nothing->setVisible(!any);
  m_list->setVisible(any);
  if (any) m_list->setCurrentIndex(m_model->index(0));
  if (isVisible()) place();
}

void CommandPalette::move(int by) {
  const int last = m_model->rowCount() - 1;
  if (last < 0) return;
  m_list->setCurrentIndex(m_model->index(std::clamp(currentRow() + by, 0, last)));
}

bool CommandPalette::complete() {
  if (currentRow() < 0) return false;
  const QString completion = m_model->entry(currentRow()).completion;
  if (completion == query()) return false;
  m_edit->setText(completion);
  return true;
}

void CommandPalette::run() {
  if (currentRow() < 0) return;
  const PaletteEntry entry = m_model->entry(currentRow());
  if (!entry.enabled) return;  // its line says why
  if (!entry.invocation) {
    complete();
    return;
  }
  // First, so that what runs finds the focus where it was.
  close();
  m_registry->tryTrigger(*entry.invocation);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_edit && event->type() == QEvent::KeyPress) {
    switch (static_cast<QKeyEvent*>(event)->key()) {
      case Qt::Key_Down:
        move(1);
        return true;
      case Qt::Key_Up:
        move(-1);
        return true;
      case Qt::Key_PageDown:
        move(kPage);
        return true;
      case Qt::Key_PageUp:
        move(-kPage);
        return true;
      case Qt::Key_Tab:
        complete();
        return true;
      case Qt::Key_Return:
      case Qt::Key_Enter:
        run();
        return true;
      default:
        break;
    }
  }
  return OverlayPanel::eventFilter(watched, event);
}

void CommandPalette::setTheme(const Theme& theme) {
  OverlayPanel::setTheme(theme);
  m_delegate->setTheme(theme);
  m_nothing->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
}

}  // namespace qaq::views
