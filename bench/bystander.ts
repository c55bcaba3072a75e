// Does nothing but watch how long its event loop stands still: that long the machine was busy with others.
import { reportToParent } from './report.ts'

reportToParent('')
